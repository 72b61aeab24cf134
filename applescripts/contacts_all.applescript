-- operation: contacts_all
-- tool: get_phone_number, get_email_address
-- app: Contacts
-- permission: Automation:Contacts
-- arguments: limit: integer
-- returns: contacts: records
-- seconds: 25

use AppleScript version "2.4"
use framework "Foundation"
use scripting additions

on run theArguments
	set thePayload to my readPayload(theArguments)
	set theLimit to my integerIn(thePayload, "limit")
	set theContacts to {}
	with timeout of 25 seconds
		tell application "Contacts" to set theCount to count of people
	end timeout
	if theCount > theLimit then set theCount to theLimit
	-- AppleScript takes ever longer to reach into longer lists.
	repeat with i from 1 to theCount by 250
		set theLast to i + 249
		if theLast > theCount then set theLast to theCount
		set theContacts to theContacts & my readContacts(i, theLast)
	end repeat
	return my answerFrom({{"contacts", theContacts}})
end run

on readContacts(theFirst, theLast)
	with timeout of 25 seconds
		tell application "Contacts"
			-- One question for each property; one for each person would take minutes. Somebody who comes or goes
			-- in between would give everybody after them another's numbers.
			set theIds to id of people theFirst thru theLast
			set theNames to name of people theFirst thru theLast
			set theNicknames to nickname of people theFirst thru theLast
			set theOrganizations to organization of people theFirst thru theLast
			set phoneLabels to label of phones of people theFirst thru theLast
			set phoneValues to value of phones of people theFirst thru theLast
			set emailLabels to label of emails of people theFirst thru theLast
			set emailValues to value of emails of people theFirst thru theLast
			set theIdsAfter to id of people theFirst thru theLast
		end tell
	end timeout
	if theIdsAfter is not theIds then error "The contacts changed while they were read." number -10000
	set theEntries to {}
	repeat with i from 1 to count of theIds
		set thePhones to my labelledFrom(item i of phoneLabels, item i of phoneValues)
		set theEmails to my labelledFrom(item i of emailLabels, item i of emailValues)
		set end of theEntries to my contactFrom(item i of theIds, item i of theNames, item i of theNicknames, item i of theOrganizations, thePhones, theEmails)
	end repeat
	return theEntries
end readContacts

-- begin _shared.applescript
on readPayload(theArguments)
	if (count of theArguments) is not 1 then error "The path of the payload is missing." number 1007
	set theData to current application's NSData's dataWithContentsOfFile:(item 1 of theArguments)
	if theData is missing value then error "The payload cannot be opened." number 1007
	set thePayload to current application's NSJSONSerialization's JSONObjectWithData:theData options:0 |error|:(missing value)
	if thePayload is missing value then error "The payload is not JSON." number 1007
	if not ((thePayload's isKindOfClass:(current application's NSDictionary)) as boolean) then error "The payload is not an object." number 1007
	return thePayload
end readPayload

on valueIn(thePayload, theKey)
	set theValue to thePayload's objectForKey:theKey
	if theValue is missing value then error "The payload lacks " & theKey & "." number 1007
	return theValue
end valueIn

on textIn(thePayload, theKey)
	return (my valueIn(thePayload, theKey)) as text
end textIn

on integerIn(thePayload, theKey)
	return (my valueIn(thePayload, theKey)) as integer
end integerIn

on booleanIn(thePayload, theKey)
	return (my valueIn(thePayload, theKey)) as boolean
end booleanIn

on listIn(thePayload, theKey)
	return (my valueIn(thePayload, theKey)) as list
end listIn

on dateIn(thePayload, theKey)
	set theMoment to my valueIn(thePayload, theKey)
	set theDate to current date
	-- On the 31st, a shorter month would become the next one.
	set day of theDate to 1
	set year of theDate to my integerIn(theMoment, "year")
	set month of theDate to my integerIn(theMoment, "month")
	set day of theDate to my integerIn(theMoment, "day")
	set hours of theDate to my integerIn(theMoment, "hour")
	set minutes of theDate to my integerIn(theMoment, "minute")
	set seconds of theDate to my integerIn(theMoment, "second")
	return theDate
end dateIn

on momentFrom(theDate)
	set theMonth to (month of theDate) as integer
	return my objectFrom({{"year", year of theDate}, {"month", theMonth}, {"day", day of theDate}, {"hour", hours of theDate}, {"minute", minutes of theDate}, {"second", seconds of theDate}})
end momentFrom

on textOrEmpty(theValue)
	if theValue is missing value then return ""
	return theValue as text
end textOrEmpty

on isFinal(theNumber)
	-- Forbidden, cancelled, too late, or the application is gone: asking for something else helps as little.
	return theNumber is in {-128, -600, -609, -1712, -1743, -1744}
end isFinal

on sameText(oneText, otherText)
	set oneString to current application's NSString's stringWithString:oneText
	return (oneString's isEqualToString:otherText) as boolean
end sameText

on objectFrom(thePairs)
	set theObject to current application's NSMutableDictionary's dictionary()
	repeat with i from 1 to count of thePairs
		set {theKey, theValue} to item i of thePairs
		(theObject's setObject:theValue forKey:theKey)
	end repeat
	return theObject
end objectFrom

on answerFrom(thePairs)
	set theObject to my objectFrom(thePairs)
	set theData to current application's NSJSONSerialization's dataWithJSONObject:theObject options:0 |error|:(missing value)
	set theLine to current application's NSString's alloc()'s initWithData:theData encoding:(current application's NSUTF8StringEncoding)
	return theLine as text
end answerFrom
-- end _shared.applescript

-- begin _contacts.applescript
on contactFrom(theId, theName, theNickname, theOrganization, thePhones, theEmails)
	return my objectFrom({{"id", theId}, {"name", my textOrEmpty(theName)}, {"nickname", my textOrEmpty(theNickname)}, {"organization", my textOrEmpty(theOrganization)}, {"phones", thePhones}, {"emails", theEmails}})
end contactFrom

on labelledFrom(theLabels, theValues)
	set theEntries to {}
	repeat with i from 1 to count of theValues
		set end of theEntries to my objectFrom({{"label", my textOrEmpty(item i of theLabels)}, {"value", my textOrEmpty(item i of theValues)}})
	end repeat
	return theEntries
end labelledFrom
-- end _contacts.applescript
