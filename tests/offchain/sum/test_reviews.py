"""Reviews become the features one expects, the same every time, and bad files say what is wrong."""

import io
import pickle
import zipfile

import numpy as np
import pytest

from offchain.sum.reviews import ReviewError, bitmaps, load_keras, load_reviews, read_csv, split
from tests.offchain.sum.made_reviews import make_reviews

CSV = """text,label,source
"Good, good film.<br />A GOOD one",1,imdb
"not in this study",1,rotten_tomatoes
"a bad film: don't",0,imdb
"""


def test_features_are_the_most_frequent_words_of_imdb_reviews_alone():
    reviews = read_csv(io.StringIO(CSV))
    # good 3, a 2, film 2; then what occurs once, by spelling.
    assert reviews.vocabulary == ("good", "a", "film", "bad", "don't", "one")
    assert reviews.dense().tolist() == [[1, 1, 1, 0, 0, 1], [0, 1, 1, 1, 1, 0]]
    assert reviews.labels.tolist() == [1, 0]
    assert reviews.with_words(2).dense().tolist() == [[1, 1], [0, 1]]
    assert reviews.active(1).tolist() == [1, 2, 3, 4]


def test_a_bitmap_has_feature_i_in_bit_i_of_its_words():
    reviews = make_reviews(count=5, num_words=300)
    for sample, words in zip(reviews.dense(), bitmaps(reviews), strict=True):
        assert len(words) == 2
        assert [words[i // 256] >> i % 256 & 1 for i in range(300)] == sample.tolist()
        assert words[1] < 1 << 44


def test_the_installed_reviews_load_and_come_back_from_the_cache_unchanged(tmp_path):
    first = load_reviews(50, limit=40, cache=tmp_path)
    again = load_reviews(50, limit=40, cache=tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".npz"]
    assert len(first) == 40
    assert first.labels.mean() == 0.5
    assert {"the", "movie", "and"} <= set(first.vocabulary)
    assert (first.dense() == again.dense()).all()
    assert (first.labels == again.labels).all()
    assert first.vocabulary == again.vocabulary


def test_parts_are_disjoint_complete_and_fixed_by_the_seed():
    reviews = make_reviews(200, num_words=120)
    one, same, other = (split(reviews, seed, test=40) for seed in (1, 1, 2))
    assert [len(part) for part in (one.initial, one.stream, one.test)] == [12, 148, 40]
    rows = {row.tobytes() for part in (one.initial, one.stream, one.test) for row in part.dense()}
    assert rows == {row.tobytes() for row in reviews.dense()}
    assert len(rows) == 200
    assert (one.stream.dense() == same.stream.dense()).all()
    assert (one.stream.dense() != other.stream.dense()).any()


def test_a_test_set_of_its_own_leaves_all_reviews_to_train_and_submit():
    reviews, held_out = make_reviews(200), make_reviews(50, seed=1)
    parts = split(reviews, 0, train_size=0.08, test=held_out)
    assert (len(parts.initial), len(parts.stream)) == (16, 184)
    assert parts.test is held_out


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"test": 200}, "of 200 reviews 1 to 199 can be held out"),
        ({"test": 0}, "1 to 199"),
        ({"test": 10, "train_size": 1.5}, "train_size is a share from 0 to 1, not 1.5"),
    ],
)
def test_a_split_that_leaves_nothing_is_refused(given, message):
    with pytest.raises(ReviewError, match=message):
        split(make_reviews(200), 0, **given)


@pytest.mark.parametrize("num_words", [0, 20_001])
def test_a_vocabulary_out_of_range_is_refused(num_words):
    with pytest.raises(ReviewError, match=f"1..20000, not {num_words}"):
        load_reviews(num_words)


def test_a_file_without_such_many_reviews_says_how_many_there_are():
    with pytest.raises(ReviewError, match=r"limit must lie in 1..2, not 3"):
        read_csv(io.StringIO(CSV), limit=3)


def write_keras(path, x_train):
    made = {
        "x_train": x_train,
        "y_train": np.array([1, 0]),
        "x_test": np.array([[1], [2, 4]], dtype=object),
        "y_test": np.array([0, 1]),
    }
    np.savez(path, **made)


def test_the_file_of_keras_holds_ranks_of_words(tmp_path):
    path = tmp_path / "imdb.npz"
    write_keras(path, np.array([[3, 1, 1, 99], [2]], dtype=object))
    train, test = load_keras(path, num_words=4)
    assert train.dense().tolist() == [[1, 0, 1, 0], [0, 1, 0, 0]]
    assert train.labels.tolist() == [1, 0]
    assert test.dense().tolist() == [[1, 0, 0, 0], [0, 1, 0, 1]]


def test_a_file_of_keras_can_not_run_code(tmp_path):
    path = tmp_path / "imdb.npz"
    write_keras(path, np.array([[1], [2]], dtype=object))
    flag = tmp_path / "ran"

    class Attack:
        def __reduce__(self):
            return flag.touch, ()

    with zipfile.ZipFile(path) as good:
        content = {name: good.read(name) for name in good.namelist()}
    header = content["x_train.npy"][: content["x_train.npy"].index(b"\n") + 1]
    content["x_train.npy"] = header + pickle.dumps(Attack())
    with zipfile.ZipFile(path, "w") as bad:
        for name, data in content.items():
            bad.writestr(name, data)
    with pytest.raises(ReviewError, match="only numpy arrays are read"):
        load_keras(path)
    assert not flag.exists()
