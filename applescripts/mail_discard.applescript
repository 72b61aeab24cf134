-- operation: mail_discard
-- tool: compose_new_email, reply_to_email, forward_email
-- app: Mail
-- permission: Automation:Mail
-- arguments: id: text
-- returns: deleted: boolean
-- seconds: 45

use AppleScript version "2.4"
use framework "Foundation"
use scripting additions

on run theArguments
	set thePayload to my readPayload(theArguments)
	my deleteDraft(my bareId(my textIn(thePayload, "id")))
	return my answerFrom({{"deleted", true}})
end run

on deleteDraft(theId)
	with timeout of 45 seconds
		tell application "Mail" to set theDrafts to drafts mailbox
	end timeout
	set theParts to my partsOf(theDrafts)
	repeat with i from 1 to count of theParts
		set theDraft to my messageIn(item i of theParts, theId, 200)
		if theDraft is not missing value then
			with timeout of 45 seconds
				tell application "Mail" to delete theDraft
			end timeout
			return
		end if
	end repeat
	error "The draft is gone." number 1001
end deleteDraft

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

-- begin _mail.applescript
on bareId(theId)
	set theString to current application's NSString's stringWithString:(my textOrEmpty(theId))
	set theBrackets to current application's NSCharacterSet's characterSetWithCharactersInString:"<> "
	return (theString's stringByTrimmingCharactersInSet:theBrackets) as text
end bareId

on partsOf(theMailbox)
	-- A mailbox at the top, such as the inbox, stands for one of each account.
	with timeout of 45 seconds
		tell application "Mail"
			try
				set theParts to mailboxes of theMailbox
			on error number -1728
				set theParts to {}
			end try
			if (count of theParts) is 0 then return {theMailbox}
			return theParts
		end tell
	end timeout
end partsOf

on newestOf(theMailbox, theLimit)
	with timeout of 45 seconds
		tell application "Mail"
			set theCount to count of messages of theMailbox
			if theCount is 0 then return {}
			if theCount > theLimit then set theCount to theLimit
			return messages 1 thru theCount of theMailbox
		end tell
	end timeout
end newestOf

on latestOf(theMessages)
	set theLatest to missing value
	set theLatestDate to missing value
	with timeout of 45 seconds
		tell application "Mail"
			repeat with i from 1 to count of theMessages
				set oneMessage to item i of theMessages
				set oneDate to date received of oneMessage
				if theLatest is missing value then
					set theLatest to oneMessage
					set theLatestDate to oneDate
				else if oneDate is not missing value and (theLatestDate is missing value or oneDate > theLatestDate) then
					set theLatest to oneMessage
					set theLatestDate to oneDate
				end if
			end repeat
		end tell
	end timeout
	return theLatest
end latestOf

on chosenMessages()
	with timeout of 45 seconds
		tell application "Mail"
			if (count of message viewers) is 0 then return {}
			try
				set theChosen to selected messages of message viewer 1
			on error theFault number theNumber
				if my isFinal(theNumber) then error theFault number theNumber
				return {}
			end try
			if theChosen is missing value then return {}
			if (count of theChosen) > 50 then return items 1 thru 50 of theChosen
			return theChosen
		end tell
	end timeout
end chosenMessages

on chosenMailboxes()
	with timeout of 45 seconds
		tell application "Mail"
			if (count of message viewers) is 0 then return {}
			try
				set theChosen to selected mailboxes of message viewer 1
			on error theFault number theNumber
				-- A search, or a mailbox that collects by rules, is none that can be named.
				if my isFinal(theNumber) then error theFault number theNumber
				return {}
			end try
			if theChosen is missing value then return {}
			return theChosen
		end tell
	end timeout
end chosenMailboxes

on latestInInbox()
	with timeout of 45 seconds
		tell application "Mail" to set theInbox to inbox
	end timeout
	set theCandidates to {}
	set theParts to my partsOf(theInbox)
	repeat with i from 1 to count of theParts
		set theCandidates to theCandidates & my newestOf(item i of theParts, 10)
	end repeat
	return my latestOf(theCandidates)
end latestInInbox

on messageAmong(theMessages, theId)
	repeat with i from 1 to count of theMessages
		set oneMessage to item i of theMessages
		with timeout of 45 seconds
			tell application "Mail" to set oneId to message id of oneMessage
		end timeout
		if my sameText(my bareId(oneId), theId) then return oneMessage
	end repeat
	return missing value
end messageAmong

on messageIn(theMailbox, theId, theLimit)
	set theMessages to my newestOf(theMailbox, theLimit)
	set theCount to count of theMessages
	if theCount is 0 then return missing value
	with timeout of 45 seconds
		-- One question for all of them; one for each would take seconds.
		tell application "Mail" to set theIds to message id of messages 1 thru theCount of theMailbox
	end timeout
	set theIds to theIds as list
	repeat with i from 1 to count of theIds
		if my sameText(my bareId(item i of theIds), theId) then return my messageAmong({item i of theMessages}, theId)
	end repeat
	return missing value
end messageIn

on messageCalled(theId)
	set theId to my bareId(theId)
	set theFound to my messageAmong(my chosenMessages(), theId)
	if theFound is not missing value then return theFound
	with timeout of 45 seconds
		tell application "Mail" to set theInbox to inbox
	end timeout
	set theMailboxes to (my partsOf(theInbox)) & (my chosenMailboxes())
	repeat with i from 1 to count of theMailboxes
		set theFound to my messageIn(item i of theMailboxes, theId, 200)
		if theFound is not missing value then return theFound
	end repeat
	error "The message is gone, or older than those that are looked through." number 1001
end messageCalled
-- end _mail.applescript
