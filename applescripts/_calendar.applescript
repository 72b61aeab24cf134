on calendarsNamed(theName)
	with timeout of 30 seconds
		tell application "Calendar"
			if theName is "" then return every calendar
			return every calendar whose name is theName
		end tell
	end timeout
end calendarsNamed

on eventCalled(theId, theName)
	set theCalendars to my calendarsNamed(theName)
	with timeout of 30 seconds
		tell application "Calendar"
			repeat with i from 1 to count of theCalendars
				set oneCalendar to item i of theCalendars
				-- The UID is what Calendar looks an event up by; a filter would read every event.
				if (exists event id theId of oneCalendar) then return event id theId of oneCalendar
			end repeat
		end tell
	end timeout
	error "The event is gone." number 1001
end eventCalled
