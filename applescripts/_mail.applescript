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
