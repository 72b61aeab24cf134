on draftIds()
	with timeout of 45 seconds
		tell application "Mail" to set theDrafts to drafts mailbox
	end timeout
	set theParts to my partsOf(theDrafts)
	set theIds to {}
	repeat with i from 1 to count of theParts
		set onePart to item i of theParts
		set theNewest to my newestOf(onePart, 100)
		set theCount to count of theNewest
		if theCount > 0 then
			with timeout of 45 seconds
				tell application "Mail" to set theIds to theIds & (message id of messages 1 thru theCount of onePart)
			end timeout
		end if
	end repeat
	return theIds
end draftIds

on addRecipients(theMessage, theAddresses, theCopies)
	with timeout of 45 seconds
		tell application "Mail"
			repeat with i from 1 to count of theAddresses
				set oneAddress to item i of theAddresses
				tell theMessage to make new to recipient at end of to recipients with properties {address:oneAddress}
			end repeat
			repeat with i from 1 to count of theCopies
				set oneAddress to item i of theCopies
				tell theMessage to make new cc recipient at end of cc recipients with properties {address:oneAddress}
			end repeat
		end tell
	end timeout
end addRecipients

on writeBody(theMessage, theBody)
	-- An attachment is put after the last paragraph, so that there has to be one.
	if theBody is "" then set theBody to linefeed
	with timeout of 45 seconds
		tell application "Mail" to set content of theMessage to theBody
	end timeout
end writeBody

on attachFiles(theMessage, thePaths)
	set theCount to count of thePaths
	if theCount is 0 then return
	set theFiles to {}
	repeat with i from 1 to theCount
		set end of theFiles to (POSIX file (item i of thePaths)) as alias
	end repeat
	with timeout of 45 seconds
		tell application "Mail"
			repeat with i from 1 to theCount
				set oneFile to item i of theFiles
				tell content of theMessage to make new attachment with properties {file name:oneFile} at after the last paragraph
			end repeat
		end tell
	end timeout
	-- Mail takes the files in by and by, and a message that is sent at once goes without them.
	if theCount > 4 then set theCount to 4
	delay (1 + theCount)
end attachFiles

on quotedText(theMessage)
	-- Empty when Mail does not give the text, such as of a message that it has not loaded.
	with timeout of 45 seconds
		tell application "Mail"
			set theSender to sender of theMessage
			try
				set theContent to content of theMessage
			on error theFault number theNumber
				if my isFinal(theNumber) then error theFault number theNumber
				return ""
			end try
		end tell
	end timeout
	set theString to current application's NSString's stringWithString:(my textOrEmpty(theContent))
	set theReturn to character id 13
	set theString to theString's stringByReplacingOccurrencesOfString:(theReturn & linefeed) withString:linefeed
	set theString to theString's stringByReplacingOccurrencesOfString:theReturn withString:linefeed
	set theString to theString's stringByReplacingOccurrencesOfString:linefeed withString:(linefeed & "> ")
	return linefeed & linefeed & (my textOrEmpty(theSender)) & " wrote:" & linefeed & linefeed & "> " & (theString as text)
end quotedText

on abandonMessage(theMessage)
	with timeout of 45 seconds
		tell application "Mail"
			try
				close theMessage saving no
			end try
		end tell
	end timeout
end abandonMessage

on headersOf(theMessage)
	with timeout of 45 seconds
		tell application "Mail"
			set theNumber to id of theMessage
			set theSubject to subject of theMessage
			set theAddresses to address of every to recipient of theMessage
		end tell
	end timeout
	return {("outgoing:" & theNumber), my textOrEmpty(theSubject), theAddresses}
end headersOf

on keepDraft(theMessage, theOutgoingId, idsBefore)
	with timeout of 45 seconds
		tell application "Mail"
			save theMessage
			try
				close theMessage saving yes
			end try
		end tell
	end timeout
	-- Mail stores the draft a moment later, and only then it has a Message-ID to find it by.
	repeat 6 times
		delay 0.5
		try
			set idsAfter to my draftIds()
		on error
			-- The draft is kept, whatever comes now.
			return theOutgoingId
		end try
		repeat with i from 1 to count of idsAfter
			set oneId to my textOrEmpty(item i of idsAfter)
			if oneId is not "" and oneId is not in idsBefore then return oneId
		end repeat
	end repeat
	return theOutgoingId
end keepDraft

on sendMessage(theMessage)
	with timeout of 45 seconds
		tell application "Mail"
			try
				set wasSent to (send theMessage)
				if wasSent is false then error "Mail did not send the message." number -10000
			on error theFault number theNumber
				-- These two say that there was no result, which is no failure.
				if theNumber is not in {-2753, -2763} then error theFault number theNumber
			end try
		end tell
	end timeout
end sendMessage
