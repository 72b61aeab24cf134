-- operation: contacts_find
-- tool: get_phone_number, get_email_address
-- app: Contacts
-- permission: Automation:Contacts
-- arguments: name: text, limit: integer
-- returns: contacts: records
-- seconds: 30

use AppleScript version "2.4"
use framework "Foundation"
use scripting additions

on run theArguments
	set thePayload to my readPayload(theArguments)
	set theName to my textIn(thePayload, "name")
	set theLimit to my integerIn(thePayload, "limit")
	set theContacts to {}
	with timeout of 30 seconds
		tell application "Contacts"
			try
				set thePeople to every person whose name contains theName or nickname contains theName or organization contains theName
			on error theFault number theNumber
				-- Some address books cannot be asked for what most people lack.
				if my isFinal(theNumber) then error theFault number theNumber
				set thePeople to every person whose name contains theName
			end try
		end tell
	end timeout
	set theCount to count of thePeople
	if theCount > theLimit then set theCount to theLimit
	repeat with i from 1 to theCount
		set end of theContacts to my readContact(item i of thePeople)
	end repeat
	return my answerFrom({{"contacts", theContacts}})
end run

on readContact(thePerson)
	with timeout of 30 seconds
		tell application "Contacts"
			set theId to id of thePerson
			set theName to name of thePerson
			set theNickname to nickname of thePerson
			set theOrganization to organization of thePerson
			set phoneLabels to label of phones of thePerson
			set phoneValues to value of phones of thePerson
			set emailLabels to label of emails of thePerson
			set emailValues to value of emails of thePerson
		end tell
	end timeout
	return my contactFrom(theId, theName, theNickname, theOrganization, my labelledFrom(phoneLabels, phoneValues), my labelledFrom(emailLabels, emailValues))
end readContact

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
