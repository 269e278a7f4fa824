package code

import (
	"io/fs"
	"os"
	"path"
)

// Extensions gives the names of the external extensions in a directory of
// merged layers, in the order AWS starts them: the executable files directly
// below "extensions", by name. Each lies at /opt/extensions/NAME inside.
//
// Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
func Extensions(dir string) []string {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), "extensions")
	if err != nil {
		return nil // no such directory: no extensions
	}
	var names []string
	for _, e := range entries {
		info, err := root.Stat(path.Join("extensions", e.Name())) // through links, never out of dir
		if err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			names = append(names, e.Name())
		}
	}
	return names
}
