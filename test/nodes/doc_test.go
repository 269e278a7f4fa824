// Package nodes tests several nodes that serve one account from one database.
package nodes
