//! The designs of an experiment, drawn: who calls whom, each design once.

use crate::base::ids::PartId;
use crate::experiment::cell::Experiment;
use crate::experiment::pictures::{Drawing, Graph, GraphNode};
use crate::experiment::setup::Setup;

/// The designs of an experiment, by which parts there are and who calls whom: variants that differ in neither share one drawing, in which what
/// differs otherwise is left out. A part that no workload of a variant reaches is not drawn.
pub fn designs(experiment: &Experiment) -> Vec<Drawing> {
    let mut designs: Vec<Drawing> = Vec::new();
    for variant in &experiment.variants {
        let Some(cell) = experiment.cells.iter().find(|cell| cell.variant == *variant) else { continue };
        let graph = without_unused(&cell.setup);
        let shape = |graph: &Graph| {
            let nodes = graph.nodes.iter().map(|node| GraphNode { note: String::new(), ..node.clone() });
            (nodes.collect::<Vec<_>>(), graph.edges.clone())
        };
        match designs.iter_mut().find(|known| shape(&known.graph) == shape(&graph)) {
            Some(known) => {
                known.variants.push(variant.clone());
                for (node, other) in known.graph.nodes.iter_mut().zip(&graph.nodes) {
                    if node.note != other.note {
                        node.note = "differs by variant".to_owned();
                    }
                }
            }
            None => designs.push(Drawing { variants: vec![variant.clone()], graph }),
        }
    }
    designs
}

/// A design without the parts that nobody reaches.
fn without_unused(setup: &Setup) -> Graph {
    let graph = setup.graph();
    let first_part = graph.nodes.len() - setup.design.names.len();
    let is_used = |place: &usize| *place < first_part || setup.reaches(PartId((place - first_part) as u16));
    let kept: Vec<usize> = (0..graph.nodes.len()).filter(is_used).collect();
    let place = |old: usize| kept.iter().position(|known| *known == old);
    let edge = |(from, to, what): &(usize, usize, String)| Some((place(*from)?, place(*to)?, what.clone()));
    Graph {
        nodes: kept.iter().map(|old| graph.nodes[*old].clone()).collect(),
        edges: graph.edges.iter().filter_map(edge).collect(),
    }
}
