on noteCalled(theId)
	with timeout of 30 seconds
		tell application "Notes"
			if not (exists note id theId) then error "The note is gone." number 1001
			return note id theId
		end tell
	end timeout
end noteCalled

on folderNameOf(theNote)
	-- A note that is shared by somebody else has no folder that can be read.
	with timeout of 30 seconds
		tell application "Notes"
			try
				return name of container of theNote
			on error theFault number theNumber
				if my isFinal(theNumber) then error theFault number theNumber
				return ""
			end try
		end tell
	end timeout
end folderNameOf

on checkUnchanged(theNote, theExpected)
	with timeout of 30 seconds
		tell application "Notes"
			set isProtected to password protected of theNote
			set theBody to body of theNote
		end tell
	end timeout
	set theBody to my textOrEmpty(theBody)
	if isProtected and theBody is "" then error "The note is locked." number 1003
	if not my sameText(theBody, theExpected) then error "The note was changed." number 1002
end checkUnchanged
