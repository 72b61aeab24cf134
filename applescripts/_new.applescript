on newMessage(theSubject, theSender)
	with timeout of 45 seconds
		tell application "Mail"
			set theMessage to make new outgoing message with properties {subject:theSubject, visible:false}
			try
				if theSender is not "" then set sender of theMessage to theSender
			on error theFault number theNumber
				my abandonMessage(theMessage)
				error theFault number theNumber
			end try
			return theMessage
		end tell
	end timeout
end newMessage

on senderCalled(theSender)
	-- Mail takes its default account for an address that it does not know.
	if theSender is "" then return ""
	with timeout of 45 seconds
		tell application "Mail"
			set theAddress to extract address from theSender
			set theAccounts to every account whose enabled is true
			repeat with i from 1 to count of theAccounts
				set theAddresses to email addresses of item i of theAccounts
				if theAddresses is not missing value and theAddresses contains theAddress then return theSender
			end repeat
		end tell
	end timeout
	error "No account of Mail sends from this address." number 1004
end senderCalled
