//go:build tools

// Package realapiserver pins the version of kube-apiserver and kube-controller-manager that scripts/setup builds. It is
// never compiled: the imports below only make go.mod and go.sum name everything that the two commands need. The module's
// own replacements point into its source tree, which the module proxy does not serve: go.mod has the published ones.
package realapiserver

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
)
