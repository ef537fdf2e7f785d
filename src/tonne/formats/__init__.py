"""What others write and read: their files become registers, our tables become files, and every fault in a file is named."""
