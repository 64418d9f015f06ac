from __future__ import annotations

import numpy as np
import pytest
import yaml
from pydantic import BaseModel

from robot_adapt.config import FROZEN, validate
from robot_adapt.errors import UserError
from robot_adapt.optim.batch_hill_climbing import BatchHillClimbingConfig
from robot_adapt.optim.operators import OperatorConfig, make_operator
from robot_adapt.optim.space import Space


class Settings(BaseModel):
    """A YAML with an operator in it."""

    model_config = FROZEN
    operator: OperatorConfig


LINES = [
    "{population: 4, rounds: 10, sigma: 0.02, incumbent: remeasure}",
    "{kind: bhc, population: 4, rounds: 10, sigma: 0.02}",
    "{kind: hill_climbing, repeats: 5, rounds: 9, sigma: 0.02}",
    "{kind: es_gradient, directions: 5, rounds: 5, sigma: 0.02, ascent: {kind: sgd, step: 1.0}, gradient: {estimator: lasso}}",
    "{kind: recombination, pairs: 5, rounds: 5, sigma: 0.02, perturbations: {kind: dpp, kernel: cosine, rho: 3.0}}",
    "{kind: cma_es, population: 8, rounds: 6, sigma: 0.02}",
    "{kind: guided_es, pairs: 5, rounds: 5, sigma: 0.02, ascent: {kind: adam, step: 0.5}}",
    "{kind: active_subspace_es, pairs: 5, rounds: 5, sigma: 0.02, ascent: {kind: momentum, step: 0.5}}",
    "{kind: bayesian_optimization, trials: 50, initial: 9, sigma: 0.02}",
    "{kind: duel, pairs: 5, search: {population: 5, rounds: 7, sigma: 0.02}}",
]


def settings(line: str) -> Settings:
    return validate({"operator": yaml.safe_load(line)}, Settings, "adapt.yaml")


@pytest.mark.parametrize("line", LINES)
def test_an_operator_is_a_line_that_comes_back_from_what_is_written(line: str) -> None:
    config = settings(line)
    assert Settings.model_validate_json(config.model_dump_json()) == config
    operator = make_operator(config.operator, np.zeros(12), 0)
    assert operator.ask()[0].parameters.shape == (12,)


def test_what_names_no_kind_is_batch_hill_climbing_and_is_written_as_it_always_was() -> None:
    config = settings(LINES[0])
    assert isinstance(config.operator, BatchHillClimbingConfig)
    written = {"population": 4, "rounds": 10, "sigma": 0.02, "incumbent": "remeasure"}
    assert config.model_dump(mode="json") == {"operator": written}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{kind: annealing}", "adapt.yaml: operator: kind should be duel, around another kind, or one of active_subspace_es"),
        ("{kind: duel, pairs: 3, search: {kind: duel}}", "adapt.yaml: operator.search: kind should be duel, around another"),
        ("{kind: cma_es, population: 3, rounds: 2, sigma: 0.1}", "adapt.yaml: operator.population: .*equal to 4, not 3"),
        ("{kind: cma_es, population: 8, rounds: 2}", "adapt.yaml: the key operator.sigma is missing"),
        ("{kind: duel, pairs: 3, search: {population: 2, rounds: 1}}", "adapt.yaml: the key operator.search.sigma is missing"),
    ],
)
def test_a_wrong_line_is_one_sentence_with_the_key(line: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        settings(line)


def test_a_space_of_other_parameters_is_refused() -> None:
    with pytest.raises(ValueError, match="the space is of 5 parameters, the start has 12"):
        make_operator(settings(LINES[0]).operator, np.zeros(12), 0, Space(5))


@pytest.mark.parametrize("line", LINES)
def test_in_a_subspace_nothing_outside_it_is_tried(line: str) -> None:
    basis, start = np.eye(12)[:, 3:6], np.ones(12)
    operator = make_operator(settings(line).operator, start, 0, Space(12, None, basis))
    while candidates := operator.ask():
        for candidate in candidates:
            moved = candidate.parameters - start
            np.testing.assert_array_equal(moved[[0, 1, 2, 6, 7, 8, 9, 10, 11]], 0.0)
            operator.tell(candidate.id, float(moved.sum()))
