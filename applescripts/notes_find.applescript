-- operation: notes_find
-- tool: open_note, append_note_content
-- app: Notes
-- permission: Automation:Notes
-- arguments: name: text, folder: text, limit: integer
-- returns: notes: records
-- seconds: 30

use AppleScript version "2.4"
use framework "Foundation"
use scripting additions

on run theArguments
	set thePayload to my readPayload(theArguments)
	set theName to my textIn(thePayload, "name")
	set theFolder to my textIn(thePayload, "folder")
	set theLimit to my integerIn(thePayload, "limit")
	set theFound to {}
	set theFolders to my foldersNamed(theFolder)
	repeat with i from 1 to count of theFolders
		set theFound to theFound & my notesIn(item i of theFolders, theName, theLimit - (count of theFound))
	end repeat
	return my answerFrom({{"notes", theFound}})
end run

on foldersNamed(theName)
	with timeout of 30 seconds
		tell application "Notes"
			-- What was thrown away is still a folder; only its English name tells it.
			if theName is "" then return every folder whose name is not "Recently Deleted"
			set theFolders to every folder whose name is theName
		end tell
	end timeout
	if (count of theFolders) is 0 then error "There is no such folder." number 1004
	return theFolders
end foldersNamed

on notesIn(theFolder, theName, theLimit)
	set theEntries to {}
	if theLimit < 1 then return theEntries
	-- A note that comes or goes in between would put the lists out of step: they are read once more.
	repeat 2 times
		set {theFolderName, theIds, theNames, theLocks} to my listsOf(theFolder, theName)
		set theCount to count of theIds
		set inStep to (count of theNames) is theCount and (count of theLocks) is theCount
		if inStep then exit repeat
	end repeat
	if not inStep then error "The notes changed while they were read." number -10000
	if theCount > theLimit then set theCount to theLimit
	-- AppleScript takes ever longer to reach into longer lists.
	repeat with i from 1 to theCount by 250
		set theLast to i + 249
		if theLast > theCount then set theLast to theCount
		set theEntries to theEntries & my entriesFrom(theFolderName, items i thru theLast of theIds, items i thru theLast of theNames, items i thru theLast of theLocks)
	end repeat
	return theEntries
end notesIn

on listsOf(theFolder, theName)
	with timeout of 30 seconds
		tell application "Notes"
			try
				set theFolderName to name of theFolder
				if theName is "" then
					set theIds to id of notes of theFolder
					set theNames to name of notes of theFolder
					set theLocks to password protected of notes of theFolder
				else
					set theIds to id of (notes of theFolder whose name contains theName)
					set theNames to name of (notes of theFolder whose name contains theName)
					set theLocks to password protected of (notes of theFolder whose name contains theName)
				end if
			on error number -1728
				-- Notes still lists a folder for a while that was deleted.
				return {"", {}, {}, {}}
			end try
		end tell
	end timeout
	return {theFolderName, theIds as list, theNames as list, theLocks as list}
end listsOf

on entriesFrom(theFolderName, theIds, theNames, theLocks)
	set theEntries to {}
	repeat with i from 1 to count of theIds
		set end of theEntries to my objectFrom({{"id", item i of theIds}, {"name", my textOrEmpty(item i of theNames)}, {"folder", my textOrEmpty(theFolderName)}, {"locked", item i of theLocks}})
	end repeat
	return theEntries
end entriesFrom

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
