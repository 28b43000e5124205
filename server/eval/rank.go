package eval

import (
	"maps"
	"math"
	"slices"
)

// Ranking tells how well scores part two classes. It keeps a count for each
// different score, not the rows. The zero Ranking is empty and ready.
type Ranking struct {
	counts map[float64]*[2]int64 // by score: negatives, positives
	total  [2]int64
	coarse bool
}

// maxScores is the number of different scores from which on they are told apart
// to a millionth only, so that the memory for any number of rows is bounded.
const maxScores = 1 << 18

// Add adds a row. A score that is no number counts as the lowest.
func (r *Ranking) Add(score float64, positive bool) {
	if math.IsNaN(score) {
		score = math.Inf(-1)
	}
	if r.counts == nil {
		r.counts = map[float64]*[2]int64{}
	}
	if r.coarse {
		score = round(score)
	}
	class := 0
	if positive {
		class = 1
	}
	r.put(score, class, 1)
	r.total[class]++
	if !r.coarse && len(r.counts) > maxScores {
		old := r.counts
		r.coarse, r.counts = true, map[float64]*[2]int64{}
		for s, n := range old {
			r.put(round(s), 0, n[0])
			r.put(round(s), 1, n[1])
		}
	}
}

func round(score float64) float64 { return math.Round(score*1e6) / 1e6 }

func (r *Ranking) put(score float64, class int, n int64) {
	c := r.counts[score]
	if c == nil {
		c = new([2]int64)
		r.counts[score] = c
	}
	c[class] += n
}

// Coarse reports whether there were so many different scores that they are told
// apart to a millionth only.
func (r *Ranking) Coarse() bool { return r.coarse }

// steps are the scores, highest first, with the rows that have them.
func (r *Ranking) steps(each func(score float64, negatives, positives int64)) {
	for _, s := range slices.Backward(slices.Sorted(maps.Keys(r.counts))) {
		each(s, r.counts[s][0], r.counts[s][1])
	}
}

// AUC is the chance that a positive has a higher score than a negative; a tie
// counts half (Mann and Whitney's U). NaN where a class is empty.
func (r *Ranking) AUC() float64 {
	sum, above := 0.0, 0.0 // above: positives with a higher score
	r.steps(func(_ float64, neg, pos int64) {
		sum += float64(neg) * (above + float64(pos)/2)
		above += float64(pos)
	})
	return sum / (float64(r.total[0]) * float64(r.total[1]))
}

// AveragePrecision is the mean of the precision over the recall, without
// interpolation: each threshold adds its precision times the recall it gains. Rows
// of one score come together. NaN without positives.
func (r *Ranking) AveragePrecision() float64 {
	sum, tp, fp := 0.0, 0.0, 0.0
	r.steps(func(_ float64, neg, pos int64) {
		tp, fp = tp+float64(pos), fp+float64(neg)
		if pos > 0 {
			sum += float64(pos) * tp / (tp + fp)
		}
	})
	return sum / float64(r.total[1])
}

// RecallAt returns how many positives a threshold finds that flags at most the
// given share of negatives, and the lowest such threshold: a row is flagged when
// its score is at least that. Rows of one score come together, so that where very
// many share one it may be that none can be flagged; the threshold is then +Inf.
func (r *Ranking) RecallAt(rate float64) (recall Share, threshold float64) {
	threshold = math.Inf(1)
	recall.Of = r.total[1]
	var tp, fp int64
	over := false
	r.steps(func(score float64, neg, pos int64) {
		tp, fp = tp+pos, fp+neg
		over = over || float64(fp) > rate*float64(r.total[0])
		if !over {
			recall.Hits, threshold = tp, score
		}
	})
	return recall, threshold
}

// Above returns how many rows of each class have at least the score.
func (r *Ranking) Above(score float64) (negatives, positives Share) {
	negatives.Of, positives.Of = r.total[0], r.total[1]
	for s, n := range r.counts {
		if s >= score {
			negatives.Hits += n[0]
			positives.Hits += n[1]
		}
	}
	return negatives, positives
}
