package bench

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Write prints the report as tables.
func (r *Report) Write(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "%s %s, %d CPUs; %d rounds of %.3gs a cell; medians\n", r.Go, r.System, r.CPUs, r.Rounds, r.Seconds)
	var mode Mode
	scenario := ""
	for _, c := range r.Cells {
		if c.Mode != mode {
			w.Flush()
			mode, scenario = c.Mode, ""
			if mode == Saturation {
				fmt.Fprintf(out, "\nsaturation: %d connections ask without pause\n", r.Concurrency)
			} else {
				fmt.Fprintf(out, "\nfixed rate: %d requests/s, streams %d/s; latency from the intended start\n", r.Rate, max(1, r.Rate/slower))
			}
			fmt.Fprint(w, "request\ttarget\treq/s\t× proxy\tp50 ms\tp99 ms\tadded p50\tadded p99\tCPU µs\tallocs\tbytes\t\n")
		}
		name := Scenario{Name: c.Scenario, Dialect: c.Dialect}.String()
		if name == scenario {
			name = ""
		} else {
			scenario = name
		}
		target := string(c.Target)
		if c.Target == Stub {
			target = "direct"
		}
		fmt.Fprintf(w, "%s\t%s\t%.0f\t%.2f\t%.3f\t%.3f\t%+.3f\t%+.3f\t%s\t%.0f\t%.0f\t\n", name, target, c.Rate, c.Ratio, c.P50, c.P99, c.AddedP50, c.AddedP99, known("%.1f", c.CPU), c.Allocs, c.Bytes)
	}
	w.Flush()
	fmt.Fprint(out, "CPU, allocs and bytes are the target's own, per request; of direct they are the stub's.\n\n")
	fmt.Fprint(w, "process\tready ms\tpeak MB\t\n")
	for _, s := range r.Starts {
		fmt.Fprintf(w, "%s\t%.1f\t%s\t\n", s.Target, s.Ready, known("%.1f", s.Peak))
	}
	w.Flush()
	fmt.Fprintln(out)
	if len(r.Added) > 0 {
		r.writeAdded(w)
	} else {
		fmt.Fprint(w, "µs at saturation\tproxy\tringwall\t\n")
		for _, f := range r.Derived {
			fmt.Fprintf(w, "%s\t%s\t%s\t\n", f.Name, known("%.2f", f.Proxy), known("%.2f", f.Ours))
		}
	}
	w.Flush()
	fmt.Fprintln(out)
	w = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, g := range r.Goals {
		bound, state := "at most", "falls short"
		if g.atLeast {
			bound = "at least"
		}
		if g.Met {
			state = "pass"
		}
		got := fmt.Sprintf("%.3g %s", g.Got, g.Unit)
		if !g.Measured {
			state, got = "not measured", "–"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t(%s %g %s)\n", state, g.Name, got, bound, g.Want, g.Unit)
	}
	return w.Flush()
}

func known(format string, v float64) string {
	if v == -1 {
		return "not available"
	}
	return fmt.Sprintf(format, v)
}
