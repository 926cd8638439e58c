"""The recipes of docs/guides/views-and-transforms.md, each as it is written."""

import json
import re
from pathlib import Path

import pytest
from tests.conformance.packs.shown import check_shown

from croupier.descriptors import read_descriptor
from croupier.forms import Condition, Transform

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "views-and-transforms.md"
RECIPES = re.findall(r"^## (.+?)\n.*?^```json\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def picture_of(title: str) -> str:
    """Where the picture of a recipe is, from the guide; tools/recipe_pictures.py takes it."""
    return f"pictures/{'-'.join(re.findall('[a-z]+', title.lower()))}.webp"


def test_every_recipe_that_shows_something_has_its_picture():
    text = GUIDE.read_text(encoding="utf-8")
    for title, block in RECIPES:
        if not json.loads(block).get("hidden"):
            assert f"]({picture_of(title)})" in text, title
            assert (GUIDE.parent / picture_of(title)).is_file(), title


def test_every_block_of_the_guide_is_a_recipe():
    text = GUIDE.read_text(encoding="utf-8")
    assert len(RECIPES) == text.count("```json") == text.count("\n## ")


@pytest.mark.parametrize(("title", "block"), RECIPES, ids=[title for title, _ in RECIPES])
def test_a_recipe_shows_what_it_says(title, block):
    recipe = json.loads(block)
    described = {"id": "a.recipe", "params": {"type": "object"}, "outputs": {"views": [recipe["view"]]}}
    (view,) = read_descriptor(json.dumps(described).encode(), "recipe.json").outputs.views
    if view.show_if:
        assert Condition.read(view.show_if).holds(recipe["answer"]) is not recipe.get("hidden", False)
    if not recipe.get("hidden"):
        shown = Transform.read(recipe["view"].get("transform")).apply(recipe["answer"])
        assert shown == recipe["shown"]
        check_shown(view.renderer, shown)
