package iam

// Renamed is renamed, for its fuzz test.
var Renamed = renamed
