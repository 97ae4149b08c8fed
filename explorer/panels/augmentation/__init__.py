"""What happens to training images before the network sees them: the form, and real images before and after."""
