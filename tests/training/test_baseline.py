from data.corpus import load
from training.baseline import fit_baseline
from training.evaluate import answers


def test_the_baseline_tells_what_it_learnt_from() -> None:
    examples = load()[::9]
    scores = fit_baseline(examples).predict_proba([e.conversation for e in examples])
    scam = answers(examples)
    assert scores.shape == (len(examples),)
    assert ((scores >= 0.5) == scam).mean() > 0.95


def test_no_messages_have_no_scores() -> None:
    assert fit_baseline(load()[::9]).predict_proba([]).shape == (0,)
