"""What a campaign really saved: those contacted against those held out."""
