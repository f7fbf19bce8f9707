// Package adapters holds the shipped adapters: for each gateway a table
// NAME.toml as package sut reads it, and the templates of its configuration.
package adapters

import "embed"

// Files are the tables and their templates.
//
//go:embed *.toml *.tmpl
var Files embed.FS
