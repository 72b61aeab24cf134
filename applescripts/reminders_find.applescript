-- operation: reminders_find
-- tool: create_reminder
-- app: Reminders
-- permission: Automation:Reminders
-- arguments: id: text
-- returns: name: text, notes: text, completed: boolean, due: records
-- seconds: 30

use AppleScript version "2.4"
use framework "Foundation"
use scripting additions

on run theArguments
	set thePayload to my readPayload(theArguments)
	set theId to my textIn(thePayload, "id")
	with timeout of 30 seconds
		tell application "Reminders"
			if not (exists reminder id theId) then error "The reminder is gone." number 1001
			set theName to name of reminder id theId
			set theNotes to body of reminder id theId
			set isCompleted to completed of reminder id theId
			set theDue to due date of reminder id theId
		end tell
	end timeout
	-- One moment, or none: somebody may have taken it away.
	set theMoments to {}
	if theDue is not missing value then set end of theMoments to my momentFrom(theDue)
	return my answerFrom({{"name", my textOrEmpty(theName)}, {"notes", my textOrEmpty(theNotes)}, {"completed", isCompleted}, {"due", theMoments}})
end run

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
