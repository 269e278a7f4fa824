package bill

import (
	"fmt"
	"math/bits"
)

// Prices of AWS Lambda in us-east-1, first tier, without the free tier, in
// pico-dollars (1e-12).
// Source: https://aws.amazon.com/lambda/pricing/
const (
	requestPrice   = 200_000    // $0.20 per million requests
	secondPrice    = 16_666_700 // $0.0000166667 per GB-second, x86_64
	secondPriceARM = 13_333_400 // $0.0000133334 per GB-second, arm64
	storagePrice   = 30_900     // $0.0000000309 per GB-second of /tmp beyond freeTmp
)

// freeTmp is the size of /tmp, in MiB, that costs nothing.
const freeTmp = 512

// Money is an amount in nano-dollars (1e-9).
type Money int64

// String gives the amount in dollars with nine decimals.
func (m Money) String() string {
	sign, n := "", uint64(m)
	if m < 0 {
		sign, n = "-", uint64(-m)
	}
	return fmt.Sprintf("%s%d.%09d", sign, n/1e9, n%1e9)
}

// MarshalText gives String: a JSON number would lose digits in many readers.
func (m Money) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// times gives n units at a price in pico-dollars for each per of them, rounded to
// nano-dollars, halves up.
func times(n int64, price, per uint64) Money {
	hi, lo := bits.Mul64(uint64(n), price)
	nano := per * 1000
	lo, carry := bits.Add64(lo, nano/2, 0)
	quo, _ := bits.Div64(hi+carry, lo, nano) // hi < nano: no amount of use comes near 9e18 nano-dollars
	return Money(quo)
}

// gbSecond is a GB-second in MiB x milliseconds, as Lambda counts GB.
const gbSecond = 1024 * 1000

// Cost is what some use costs, by its parts.
type Cost struct {
	Requests Money `json:"requests"`
	Duration Money `json:"duration"`
	Storage  Money `json:"storage"`
	Total    Money `json:"total"`
}

func (c *Cost) add(o Cost) {
	c.Requests += o.Requests
	c.Duration += o.Duration
	c.Storage += o.Storage
	c.Total += o.Total
}

// cost prices a sum for an architecture.
func (s *sum) cost(architecture string) Cost {
	second := uint64(secondPrice)
	if architecture == "arm64" {
		second = secondPriceARM
	}
	c := Cost{
		Requests: times(s.Invocations, requestPrice, 1),
		Duration: times(s.Memory, second, gbSecond),
		Storage:  times(s.Tmp, storagePrice, gbSecond),
	}
	c.Total = c.Requests + c.Duration + c.Storage
	return c
}
