package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/plantbed/plantbed/reports"
)

func newScore() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "score DIR",
		Short: "Judge the record of a run again, offline",
		Long: `Score reads the record in a run directory and writes card.json, report.html,
report.md and junit.xml from it, byte for byte as the run did. The exit code is
the verdict's.`,
		Example: "  plantbed score runs/first-light-42",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := scoreDir(args[0])
			if err != nil {
				return err
			}
			if err := f.print(cmd.OutOrStdout(), r, args[0]); err != nil {
				return internal(err)
			}
			if code := verdictCode(r.Card.Verdict); code != codePass {
				return &exit{code: code}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&f.json, "json", false, "print the card as JSON instead of the table")
	cmd.Flags().BoolVar(&f.quiet, "quiet", false, "print the verdict line alone")
	return cmd
}

func newReport() *cobra.Command {
	var markdown bool
	cmd := &cobra.Command{
		Use:   "report DIR",
		Short: "Write the reports of a run again",
		Long:  "Report rebuilds report.html, report.md, junit.xml and card.json from the record in a run directory.",
		Example: `  plantbed report runs/first-light-42
  plantbed report runs/first-light-42 --markdown`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := scoreDir(args[0])
			if err != nil {
				return err
			}
			if markdown {
				err = reports.Markdown(cmd.OutOrStdout(), r)
			} else {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "report: %s\n", filepath.Join(args[0], "report.html"))
			}
			if err != nil {
				return internal(err)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&markdown, "markdown", false, "print the Markdown report")
	return cmd
}
