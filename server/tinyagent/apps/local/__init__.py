"""What the desktops do on this computer itself: files, programs, PDFs, links to maps, an outbox."""
