// Package file keeps blobs in a folder, each in a file named for its digest:
//
//	DIR/
//	  ab/abcdef...   the blob with that SHA-256; owner-only, never changed
//	  tmp/123...     one being written, under a lock; what a crash leaves is
//	                 removed by the next Open
//
// A blob is written under tmp, synced, renamed to its name, and its folder
// synced, so at any moment a name has either all of its bytes or is not there.
// Several nodes may share a folder, over a file system that has flock.
//
// All paths stay below DIR whatever links are put into it (os.Root).
package file
