// Builds a kustomization as `kubectl apply -k` does, and judges its pods as Kubernetes' own admission does.
//
//	go run ./kubernetes FOLDER [COMPONENT …]
//
// FOLDER holds the kustomization; COMPONENTs, folders relative to it, take the place of its own. Prints JSON: the resources, and what the Pod
// Security level "restricted" forbids.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	apps "k8s.io/api/apps/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

type answer struct {
	Resources []map[string]any `json:"resources"`
	Forbidden []string         `json:"forbidden"`
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: kubernetes FOLDER [COMPONENT …]")
		os.Exit(2)
	}
	found, err := build(os.Args[1], os.Args[2:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(found)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func build(folder string, components []string) (answer, error) {
	found := answer{Resources: []map[string]any{}, Forbidden: []string{}}
	fileSystem, err := copied(folder)
	if err != nil {
		return found, err
	}
	if err := add(fileSystem, folder, components); err != nil {
		return found, err
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(fileSystem, folder)
	if err != nil {
		return found, err
	}
	for _, resource := range built.Resources() {
		fields, err := resource.Map()
		if err != nil {
			return found, err
		}
		found.Resources = append(found.Resources, fields)
		if resource.GetKind() != "StatefulSet" {
			continue
		}
		document, err := resource.AsYAML()
		if err != nil {
			return found, err
		}
		forbidden, err := restricted(document)
		if err != nil {
			return found, err
		}
		found.Forbidden = append(found.Forbidden, forbidden...)
	}
	return found, nil
}

// In memory, so that components can be added without a change on disk. With the folders beside it, which a kustomization may include.
func copied(folder string) (filesys.FileSystem, error) {
	memory := filesys.MakeFsInMemory()
	root := folder
	for filepath.Base(root) != "kubernetes" && root != filepath.Dir(root) {
		root = filepath.Dir(root)
	}
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return memory.WriteFile(path, content)
	})
	return memory, err
}

func add(fileSystem filesys.FileSystem, folder string, components []string) error {
	if len(components) == 0 {
		return nil
	}
	path := filepath.Join(folder, "kustomization.yaml")
	content, err := fileSystem.ReadFile(path)
	if err != nil {
		return err
	}
	var kustomization types.Kustomization
	if err := kustomization.Unmarshal(content); err != nil {
		return err
	}
	kustomization.Components = components
	content, err = yaml.Marshal(kustomization)
	if err != nil {
		return err
	}
	return fileSystem.WriteFile(path, content)
}

func restricted(document []byte) ([]string, error) {
	var set apps.StatefulSet
	if err := yaml.UnmarshalStrict(document, &set); err != nil {
		return nil, err
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return nil, err
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	results := evaluator.EvaluatePod(level, &set.Spec.Template.ObjectMeta, &set.Spec.Template.Spec)
	var forbidden []string
	for _, result := range results {
		if !result.Allowed {
			forbidden = append(forbidden, result.ForbiddenReason+": "+result.ForbiddenDetail)
		}
	}
	return forbidden, nil
}
