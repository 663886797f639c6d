"""Who lists images: one file a source, registered in a visible tuple."""
