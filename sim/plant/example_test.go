package plant_test

import (
	"fmt"
	"time"

	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/plant"
)

func Example() {
	cfg := plant.Config{
		Machines: []plant.MachineConfig{
			{Name: "pump", Kind: "pump-skid", Params: map[string]string{"flow": "8 l/s", "repair_time": "5 min"}},
			{Name: "filler", Kind: "filler"},
		},
		Lines: []plant.LineConfig{{Name: "line", Stations: []string{"pump", "filler"}, Buffers: []int{20}}},
	}
	k := sim.New(42)
	p, err := plant.Build(k, cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	p.OnEvent(func(e plant.Event) {
		if e.Machine == "pump" && (e.Kind == "failure" || e.Kind == "repair") {
			fmt.Println(e.At, e.Kind, e.Component, e.Mode)
		}
	})
	bearing, _ := p.Machine("pump").Knob("motor/bearing-de")
	if err := bearing.Wear(30*time.Minute, 100*time.Minute); err != nil {
		fmt.Println(err)
		return
	}
	p.Start()
	k.Run(101 * time.Minute)
	fmt.Println("pump", plant.StateName(p.Machine("pump").State()), "filler", plant.StateName(p.Machine("filler").State()))
	k.Run(2 * time.Hour)
	fmt.Printf("pump available %.3f\n", p.Machine("pump").OEE(k.Now()).Availability)
	// Output:
	// 1h40m0s failure motor/bearing-de bearing_wear
	// pump Aborted filler Suspended
	// 1h45m0s repair motor/bearing-de bearing_wear
	// pump available 0.956
}
