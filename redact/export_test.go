package redact

// SetSizes sets of how many digits placeholders are, so that tests see values
// that would read alike.
func (v *Vault) SetSizes(sizes ...int) { v.sizes = sizes }
