//go:build tools

// Package pbm pins the version of Percona Backup for MongoDB that scripts/setup builds. It is never compiled: the
// imports below only make go.mod and go.sum name everything that the two commands need.
package pbm

import (
	_ "github.com/percona/percona-backup-mongodb/cmd/pbm"
	_ "github.com/percona/percona-backup-mongodb/cmd/pbm-agent"
)
