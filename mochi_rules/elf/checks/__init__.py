"""The checks of artifacts and objects, one named function for each rule."""
