package policy

// Evaluate decides the request by the policies that apply to it.
func Evaluate(r *Request, p *Policies) Decision { return Decision{} }
