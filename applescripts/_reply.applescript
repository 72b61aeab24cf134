on replyTo(theOriginal, theCopies, theBody, thePaths)
	-- With a window, Mail ignores what is written into the reply. Without one, its own quote is kept
	-- only as long as nothing is written, so that the quote is made here.
	with timeout of 45 seconds
		tell application "Mail" to set theReply to reply theOriginal without opening window
	end timeout
	if theReply is missing value then error "Mail made no reply." number -10000
	try
		my addRecipients(theReply, {}, theCopies)
		if theBody is not "" or (count of thePaths) > 0 then
			my writeBody(theReply, theBody & my quotedText(theOriginal))
			my attachFiles(theReply, thePaths)
		end if
	on error theFault number theNumber
		my abandonMessage(theReply)
		error theFault number theNumber
	end try
	return theReply
end replyTo
