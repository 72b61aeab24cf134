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
