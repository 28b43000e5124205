package admit

// Hold counts n more bytes that t keeps, or returns a *Shed when that is too much: of
// all bytes its class has a share, and of what is left its flow may take half. Leave
// gives them back.
func (t *Ticket) Hold(n int64) error {
	g := t.gate
	if g == nil || n <= 0 {
		return nil
	}
	g.mu.Lock()
	if shed := g.mayHold(t, n); shed != nil {
		return g.turnedAway(shed, t.class)
	}
	g.hold(t, n)
	g.mu.Unlock()
	return nil
}

// Answer is Hold for what answers t: it may take what is left of all bytes, for that
// has been paid for. Several goroutines may call it at a time; of a ticket that left,
// nothing is counted.
func (g *Gate) Answer(t *Ticket, n int64) error {
	g.mu.Lock()
	if t.gate == nil || n <= 0 {
		g.mu.Unlock()
		return nil
	}
	if g.cfg.Bytes > 0 && g.bytes+n > g.cfg.Bytes && g.bytes > 0 {
		return g.turnedAway(shedMemory, t.class)
	}
	g.hold(t, n)
	g.mu.Unlock()
	return nil
}

func (g *Gate) hold(t *Ticket, n int64) {
	t.bytes += n
	t.flow.bytes += n
	g.bytes += n
}

// kept is the part of all bytes, in percent, that only answers may take.
const kept = 20

func (g *Gate) mayHold(t *Ticket, n int64) *Shed {
	if g.cfg.Bytes <= 0 {
		return nil
	}
	most := part(g.cfg.Bytes-g.cfg.Bytes*kept/100, t.class)
	switch {
	case g.bytes+n > most:
	case t.flow.bytes > t.bytes && t.flow.bytes+n > most-g.bytes:
	default:
		return nil
	}
	return shedMemory
}
