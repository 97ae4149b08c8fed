"""The Classes tab: confusion matrix, accuracy of each class, and the images behind both."""
