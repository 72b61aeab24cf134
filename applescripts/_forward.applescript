on forwardOf(theOriginal, theAddresses, theCopies, theBody, thePaths)
	-- Mail quotes the original and keeps its attachments only as long as nothing is written into the
	-- forward. Otherwise the text is quoted here, and an original with attachments, or whose text cannot
	-- be had, goes along as a file.
	-- Returns the forward and the folder of that file, which is empty when there is none.
	with timeout of 45 seconds
		tell application "Mail"
			set theForward to forward theOriginal without opening window
			set theCount to count of mail attachments of theOriginal
		end tell
	end timeout
	if theForward is missing value then error "Mail made no forward." number -10000
	set theFolder to ""
	try
		my addRecipients(theForward, theAddresses, theCopies)
		if theBody is not "" or (count of thePaths) > 0 then
			set theQuote to my quotedText(theOriginal)
			if theCount > 0 or theQuote is "" then
				set theFolder to my privateFolder()
				set thePaths to thePaths & {my sourceFile(theOriginal, theFolder)}
			end if
			my writeBody(theForward, theBody & theQuote)
			my attachFiles(theForward, thePaths)
		end if
	on error theFault number theNumber
		my abandonMessage(theForward)
		my removeFolder(theFolder)
		error theFault number theNumber
	end try
	return {theForward, theFolder}
end forwardOf

on privateFolder()
	set theName to "tinyagent-" & ((current application's NSUUID's UUID()'s UUIDString()) as text)
	set thePath to (current application's NSTemporaryDirectory() as text) & theName
	set theRights to current application's NSDictionary's dictionaryWithObject:448 forKey:"NSFilePosixPermissions"
	set theManager to current application's NSFileManager's defaultManager()
	set wasMade to theManager's createDirectoryAtPath:thePath withIntermediateDirectories:true attributes:theRights |error|:(missing value)
	if not (wasMade as boolean) then error "No folder can be made for the original." number -10000
	return thePath
end privateFolder

on sourceFile(theMessage, theFolder)
	with timeout of 45 seconds
		tell application "Mail" to set theSource to source of theMessage
	end timeout
	set thePath to theFolder & "/original message.eml"
	set theString to current application's NSString's stringWithString:(my textOrEmpty(theSource))
	set wasWritten to theString's writeToFile:thePath atomically:true encoding:(current application's NSUTF8StringEncoding) |error|:(missing value)
	if not (wasWritten as boolean) then error "The original cannot be kept for the forward." number -10000
	return thePath
end sourceFile

on removeFolder(theFolder)
	if theFolder is "" then return
	set theManager to current application's NSFileManager's defaultManager()
	(theManager's removeItemAtPath:theFolder |error|:(missing value))
end removeFolder
