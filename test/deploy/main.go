// Checks what others run for us: Docker's compose file, Kubernetes' manifests, Prometheus' rules and Grafana's queries.
//
//	go run . ROOT SCHEMAS
//
// ROOT is the repository, SCHEMAS a folder with the JSON schemas of a Kubernetes release. Ends with 1 and a line for each finding.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/yannh/kubeconform/pkg/validator"
	"sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: deploy ROOT SCHEMAS")
		os.Exit(2)
	}
	root, schemas := os.Args[1], os.Args[2]
	var findings []string
	for _, check := range []func() ([]string, error){
		func() ([]string, error) { return compose(root) },
		func() ([]string, error) { return manifests(root, schemas) },
		func() ([]string, error) { return alerts(root) },
		func() ([]string, error) { return dashboards(root) },
	} {
		found, err := check()
		if err != nil {
			found = append(found, err.Error())
		}
		findings = append(findings, found...)
	}
	for _, finding := range findings {
		fmt.Println(finding)
	}
	if len(findings) > 0 {
		os.Exit(1)
	}
}

func compose(root string) ([]string, error) {
	options, err := cli.NewProjectOptions([]string{filepath.Join(root, "compose.yaml")})
	if err != nil {
		return nil, err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return nil, err
	}
	var findings []string
	for name, service := range project.Services {
		if service.HealthCheck == nil {
			findings = append(findings, "compose.yaml: "+name+" has no healthcheck, so nobody can wait for it")
		}
	}
	return findings, nil
}

// Kinds that Kubernetes' own schemas do not have: the Prometheus operator's, and KEDA's.
var foreignKinds = map[string]struct{}{"ServiceMonitor": {}, "ScaledObject": {}, "TriggerAuthentication": {}}

func manifests(root string, schemas string) ([]string, error) {
	var paths []string
	for _, pattern := range []string{"*.yaml", "base/*.yaml", "components/*/*.yaml", "examples/*/*.yaml", "examples/*/*/*.yaml"} {
		found, err := files(root, "deploy/kubernetes/"+pattern)
		if err != nil {
			return nil, err
		}
		paths = append(paths, found...)
	}
	local, err := withLocalReferences(schemas)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(local)
	locations := []string{local + "/{{ .ResourceKind }}{{ .KindSuffix }}.json"}
	check, err := validator.New(locations, validator.Opts{Strict: true, SkipKinds: foreignKinds})
	if err != nil {
		return nil, err
	}
	var findings []string
	for _, path := range paths {
		switch filepath.Base(path) {
		case "kustomization.yaml", "name-references.yaml", "source.yaml":
			continue // no resources: what kustomize and pulsar-ts-io read
		}
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		results := check.Validate(path, file)
		file.Close()
		for _, result := range results {
			switch result.Status {
			case validator.Valid:
			case validator.Skipped:
				if signature, err := result.Resource.Signature(); err == nil && signature.Kind == "ServiceMonitor" {
					findings = append(findings, serviceMonitor(path, result.Resource.Bytes)...)
				}
			default:
				findings = append(findings, fmt.Sprintf("%s: %v", path, result.Err))
			}
		}
	}
	return findings, nil
}

// A copy of the schemas that finds its definitions beside itself: as they come, they look for them at the root of a server.
func withLocalReferences(schemas string) (string, error) {
	paths, err := files(schemas, "*.json")
	if err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp("", "kubernetes-schemas-")
	if err != nil {
		return "", err
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return folder, err
		}
		text = bytes.ReplaceAll(text, []byte("/api/_definitions.json"), []byte("file://"+folder+"/_definitions.json"))
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(path)), text, 0o600); err != nil {
			return folder, err
		}
	}
	return folder, nil
}

// Kubernetes' own schemas do not have it: read as the Prometheus operator reads it, and no field that it does not know.
func serviceMonitor(path string, document []byte) []string {
	var monitor monitoring.ServiceMonitor
	if err := yaml.UnmarshalStrict(document, &monitor); err != nil {
		return []string{fmt.Sprintf("%s: %v", path, err)}
	}
	if len(monitor.Spec.Endpoints) == 0 {
		return []string{path + ": it scrapes nothing"}
	}
	return nil
}

// As Prometheus loads them: names, durations, queries, and the templates of what they say.
func alerts(root string) ([]string, error) {
	paths, err := files(root, "dashboards/*.yaml")
	if err != nil {
		return nil, err
	}
	var findings []string
	for _, path := range paths {
		if strings.HasSuffix(path, ".test.yaml") {
			continue // promtool's own format
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		_, found := rulefmt.Parse(text, false, model.UTF8Validation, promql(), slog.New(slog.DiscardHandler))
		for _, finding := range found {
			findings = append(findings, fmt.Sprintf("%s: %v", path, finding))
		}
	}
	return findings, nil
}

type dashboard struct {
	Panels []struct {
		Title   string
		Targets []struct{ Expr string }
	}
}

// The query of each panel, once Grafana has put its own values in.
func dashboards(root string) ([]string, error) {
	paths, err := files(root, "dashboards/*.json")
	if err != nil {
		return nil, err
	}
	var findings []string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var board dashboard
		if err := json.Unmarshal(text, &board); err != nil {
			return nil, err
		}
		queries := 0
		for _, panel := range board.Panels {
			for _, target := range panel.Targets {
				queries++
				query := strings.ReplaceAll(target.Expr, "$__rate_interval", "5m")
				if _, err := promql().ParseExpr(query); err != nil {
					findings = append(findings, fmt.Sprintf("%s: %s: %v", path, panel.Title, err))
				}
			}
		}
		if queries == 0 {
			findings = append(findings, path+": it asks for nothing")
		}
	}
	return findings, nil
}

func promql() parser.Parser {
	return parser.NewParser(parser.Options{})
}

// What matches, at least one: a check of nothing must not pass.
func files(root string, pattern string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(root, pattern))
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("%s: there are none", pattern)
	}
	return paths, err
}
