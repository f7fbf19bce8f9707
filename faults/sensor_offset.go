package faults

import "time"

// offset is what biases and drifts amount to together, in engineering units.
type offset struct {
	bias      float64
	from      time.Duration
	perSecond float64
}

// bindSensorOffset is for biases and drifts together, because several drifts
// are one drift and a bias: from the start of the last one on,
//
//	Σ rᵢ (t - fᵢ) = Σ rᵢ (t - f) + Σ rᵢ (f - fᵢ)
func bindSensorOffset(p Plant, target string) (apply, bool) {
	ch, span, ok := p.Channel(target)
	return settle(offset{},
		func(open []active) offset { return addOffsets(open, span.width()) },
		func(was, now offset) error {
			if now.bias != was.bias {
				ch.SetBias(now.bias)
			}
			if now.perSecond != was.perSecond || now.from != was.from {
				ch.Drift(now.from, now.perSecond)
			}
			return nil
		}), ok
}

func addOffsets(open []active, width float64) offset {
	var sum offset
	for _, a := range open {
		if a.Kind == "sensor.drift" {
			sum.from = max(sum.from, a.From)
		}
	}
	for _, a := range open {
		if a.Kind != "sensor.drift" {
			sum.bias += percent.value(a.cfg.Bias) * width
			continue
		}
		r := percentRate.value(a.cfg.Rate) * width
		sum.perSecond += r
		sum.bias += r * (sum.from - a.From).Seconds()
	}
	return sum
}
