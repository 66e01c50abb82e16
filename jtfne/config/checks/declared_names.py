"""Names and cell counts that a circuit has declared so far, which other objects refer to."""

from collections.abc import Iterator, Sequence

from jtfne.config.checks.cells import check_mix_names
from jtfne.config.circuit import Circuit
from jtfne.config.populations import count_cells
from jtfne.pydantic_fields.errors import describe_refusal, describe_unknown
from jtfne.pydantic_fields.selector_field import Selector

PopulationKey = tuple[str, str, str]  # area, layer, cell type


class DeclaredNames:
    """The areas, layers, cell types and populations of a circuit; None where none is declared.

    Attributes
    ----------
    area_names, layer_names, cell_types : list of str or None
    mix_errors : list of str
        One line for each layer or area of the mix that is not declared.
    counts : dict or None
        Number of cells by (area, layer, cell type); None as long as they cannot be counted.
    """

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self.area_names = [area.name for area in circuit.areas] or None
        self.layer_names = [layer.name for layer in circuit.layers] or None
        leaves = circuit.cells.leaves() if circuit.cells else []
        self.cell_types = sorted({cell_type for *_, cell_type, _ in leaves}) or None
        self.mix_errors = list(check_mix_names(leaves, self.area_names, self.layer_names))
        is_countable = (
            self.area_names and self.layer_names and self.cell_types and not self.mix_errors
        )
        self.counts = count_cells(circuit) if is_countable else None
        # Many connections share few selectors, and a search passes all populations.
        self._populations_by_criteria: dict[object, list[PopulationKey]] = {}
        self._valid_criteria: set[object] = set()

    def find_populations(self, selector: Selector) -> list[PopulationKey]:
        """The populations (area, layer, cell type) that hold cells of `selector`; cached."""
        criteria = _list_criteria(selector)
        if criteria not in self._populations_by_criteria:
            self._populations_by_criteria[criteria] = self._search_populations(selector)
        return self._populations_by_criteria[criteria]

    def find_cell_types(self, selector: Selector) -> set[str]:
        """The cell types that `selector` matches; those that it names where no cells are known."""
        matched_types = {cell_type for *_, cell_type in self.find_populations(selector)}
        return matched_types or set(selector.cell_type or ())

    def count_cells_of_types(self) -> dict[str, int]:
        """Number of cells by cell type, of the types that have cells that can be counted."""
        counts_by_type: dict[str, int] = {}
        for (*_, cell_type), n_cells in (self.counts or {}).items():
            counts_by_type[cell_type] = counts_by_type.get(cell_type, 0) + n_cells
        return counts_by_type

    def find_cell_ids(self, selector: Selector) -> set[int]:
        """The ids of the cells that `selector` matches."""
        matched_populations = set(self.find_populations(selector))
        cell_ids: set[int] = set()
        first_id = 0
        for population, n_cells in (self.counts or {}).items():
            if population in matched_populations:
                cell_ids |= set(range(first_id, first_id + n_cells))
            first_id += n_cells
        return cell_ids if selector.ids is None else cell_ids & set(selector.ids)

    def selector_errors(self, selector: Selector, where: str) -> list[str]:
        """The errors of `selector`, one line each: unknown names or ids, or no cell at all."""
        if _list_criteria(selector) in self._valid_criteria:
            return []
        problems = [
            *_check_names(selector.area, self.area_names, "area", where),
            *_check_names(selector.layer, self.layer_names, "layer", where),
            *_check_names(selector.cell_type, self.cell_types, "cell_type", where),
        ]
        if self.counts is not None:
            total = sum(self.counts.values())
            absent_ids = [cell_id for cell_id in selector.ids or () if cell_id >= total]
            if absent_ids:
                allowed = f"ids of the {total} cells, 0 .. {total - 1}"
                problems.append(describe_refusal(f"ids={absent_ids[:5]}", allowed, where))
            if not problems and not self.find_populations(selector):
                criteria = [f"{key}={value!r}" for key, value in selector if value is not None]
                populations = ", ".join(map("/".join, self.counts))
                description = f"{', '.join(criteria)}, which matches no cell,"
                problems.append(describe_refusal(description, populations, where))
        if not problems:
            self._valid_criteria.add(_list_criteria(selector))
        return problems

    def _search_populations(self, selector: Selector) -> list[PopulationKey]:
        """Search all populations for cells of `selector`."""
        populations, first_id = [], 0
        for key, n_cells in (self.counts or {}).items():
            ids = range(first_id, first_id + n_cells)
            first_id += n_cells
            if _has_names(key, selector) and _has_any_id(ids, selector):
                populations.append(key)
        return populations


def _has_names(population: PopulationKey, selector: Selector) -> bool:
    """Whether a population is of an area, a layer and a type that `selector` names."""
    for name, allowed_names in zip(
        population, (selector.area, selector.layer, selector.cell_type), strict=True
    ):
        if allowed_names is not None and name not in allowed_names:
            return False
    return True


def _has_any_id(ids: range, selector: Selector) -> bool:
    """Whether `selector` names one of `ids`, or none at all."""
    return selector.ids is None or any(cell_id in ids for cell_id in selector.ids)


def _check_names(
    names: Sequence[str] | None, declared_names: Sequence[str] | None, key: str, where: str
) -> Iterator[str]:
    """Yield an error for each name that is not declared; none as long as nothing is."""
    if not declared_names:
        return
    for name in names or ():
        line = describe_unknown(name, declared_names, name=key, where=where)
        if line:
            yield line


def _list_criteria(selector: Selector) -> tuple[object, ...]:
    """The criteria of a selector as a hashable key."""
    return selector.area, selector.layer, selector.cell_type, selector.ids
