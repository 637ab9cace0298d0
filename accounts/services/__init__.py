"""Everything that changes users and their sessions; views, admin pages and commands are doors to it."""
