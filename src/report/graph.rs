//! The design as a drawing: parts in layers from left to right, arrows along the way of requests, and DOT text for
//! other tools.

use petgraph::algo::{greedy_feedback_arc_set, toposort};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::report::input::{Graph, GraphNode};

const BOX: (f64, f64) = (158.0, 62.0);
/// Room for a line that passes through a layer.
const LANE: f64 = 22.0;
/// Between layers, and between parts of a layer.
const GAP: (f64, f64) = (92.0, 24.0);
const MARGIN: f64 = 14.0;
/// In a page it takes the page's colours.
const STYLE: &str = include_str!("graph.css");
/// Passes over the layers; small designs settle in two or three.
const SWEEPS: usize = 6;

/// The drawing as SVG text, in the colours of the page around it.
pub fn svg(graph: &Graph) -> String {
    let layout = Layout::of(graph);
    let mut text = format!(
        "<svg class=\"design\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"the design\" \
         width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\">\n<style>\n{STYLE}</style>\n<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" \
         refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto-start-reverse\">\
         <path d=\"M0 0L8 4L0 8z\" fill=\"currentColor\"/></marker></defs>\n",
        layout.width, layout.height
    );
    for route in &layout.routes {
        let path = format!(
            "<path d=\"{}\" fill=\"none\" stroke=\"currentColor\" stroke-opacity=\".55\" stroke-width=\"1.4\" \
             marker-end=\"url(#tip)\"/>\n",
            route.path
        );
        text.push_str(&path);
    }
    for (node, at) in graph.nodes.iter().zip(&layout.places) {
        boxed(&mut text, node, *at);
    }
    // Labels last, so that no line crosses them.
    for route in layout.routes.iter().filter(|route| !route.label.is_empty()) {
        let label = escaped(&shortened(&route.label, 16));
        let (x, y) = route.middle;
        text.push_str(&format!("<text class=\"on-edge\" x=\"{x:.1}\" y=\"{y:.1}\">{label}</text>\n"));
    }
    text.push_str("</svg>\n");
    text
}

/// The graph in the language of Graphviz.
pub fn dot(graph: &Graph) -> String {
    let quoted =
        |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " "));
    let mut text = "digraph design {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
    for (index, node) in graph.nodes.iter().enumerate() {
        let label = [&named(node), &node.kind, &subtitle(node)]
            .map(|line| quoted(line))
            .map(|line| line[1..line.len() - 1].to_owned());
        let label = label.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\\n");
        text.push_str(&format!("  n{index} [label=\"{label}\"];\n"));
    }
    for (from, to, label) in valid(graph) {
        text.push_str(&format!("  n{from} -> n{to} [label={}];\n", quoted(label)));
    }
    text.push_str("}\n");
    text
}

fn valid(graph: &Graph) -> impl Iterator<Item = (usize, usize, &str)> {
    let count = graph.nodes.len();
    let inside = move |(from, to, _): &&(usize, usize, String)| *from < count && *to < count;
    graph.edges.iter().filter(inside).map(|(from, to, label)| (*from, *to, label.as_str()))
}

fn named(node: &GraphNode) -> String {
    if node.count > 1 { format!("{} × {}", node.name, node.count) } else { node.name.clone() }
}

fn subtitle(node: &GraphNode) -> String {
    let zone = if node.zone.is_empty() { String::new() } else { format!("zone {}", node.zone) };
    [node.note.clone(), zone].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn boxed(text: &mut String, node: &GraphNode, (x, y): (f64, f64)) {
    let (left, top) = (x - BOX.0 / 2.0, y - BOX.1 / 2.0);
    let title = format!("{} ({}) {}", named(node), node.kind, subtitle(node));
    text.push_str(&format!(
        "<g class=\"part\"><title>{}</title><rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{}\" height=\"{}\" rx=\"7\"/>",
        escaped(&title),
        BOX.0,
        BOX.1
    ));
    let lines = [
        (named(node), 18, -14.0, "name"),
        (node.kind.clone(), 24, 4.0, "kind"),
        (subtitle(node), 27, 20.0, "note"),
    ];
    for (line, letters, below, class) in lines {
        let line = escaped(&shortened(&line, letters));
        text.push_str(&format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{:.1}\">{line}</text>", y + below));
    }
    text.push_str("</g>\n");
}

fn shortened(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    text.chars().take(letters - 1).collect::<String>().trim_end().to_owned() + "…"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// An arrow.
struct Route {
    path: String,
    middle: (f64, f64),
    label: String,
}

struct Layout {
    width: f64,
    height: f64,
    /// Middles of the nodes.
    places: Vec<(f64, f64)>,
    routes: Vec<Route>,
}

/// What takes room in a layer: a part, or an edge that passes through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    Part(usize),
    Pass(usize),
}

impl Layout {
    /// Sugiyama's method: break cycles, put nodes in layers, order layers by the middles of their neighbours.
    fn of(graph: &Graph) -> Layout {
        let edges: Vec<(usize, usize, &str)> = valid(graph).collect();
        let layer_of = layers(graph.nodes.len(), &edges);
        let count = layer_of.iter().max().map_or(0, |last| last + 1);
        let mut layers: Vec<Vec<Slot>> = vec![Vec::new(); count];
        for (node, layer) in layer_of.iter().enumerate() {
            layers[*layer].push(Slot::Part(node));
        }
        for (index, (from, to, _)) in edges.iter().enumerate() {
            for layer in layers.iter_mut().take(layer_of[*to]).skip(layer_of[*from] + 1) {
                layer.push(Slot::Pass(index));
            }
        }
        order(&mut layers, &edges);
        let tall = |slot: &Slot| if matches!(slot, Slot::Part(_)) { BOX.1 } else { LANE };
        let height_of = |layer: &Vec<Slot>| layer.iter().map(|slot| tall(slot) + GAP.1).sum::<f64>() - GAP.1;
        let tallest = layers.iter().map(height_of).fold(BOX.1, f64::max);
        let mut places = vec![(0.0, 0.0); graph.nodes.len()];
        let mut passes = vec![Vec::new(); edges.len()];
        for (index, layer) in layers.iter().enumerate() {
            let x = MARGIN + BOX.0 / 2.0 + index as f64 * (BOX.0 + GAP.0);
            let mut top = MARGIN + (tallest - height_of(layer)) / 2.0;
            for slot in layer {
                let y = top + tall(slot) / 2.0;
                top += tall(slot) + GAP.1;
                match slot {
                    Slot::Part(node) => places[*node] = (x, y),
                    Slot::Pass(edge) => passes[*edge].push((x, y)),
                }
            }
        }
        let backwards = edges.iter().filter(|(from, to, _)| layer_of[*to] <= layer_of[*from]).count();
        let floor = MARGIN + tallest;
        let routes = route_all(&edges, &layer_of, &places, &passes, floor);
        Layout {
            width: 2.0 * MARGIN + count.max(1) as f64 * (BOX.0 + GAP.0) - GAP.0,
            height: floor + MARGIN + backwards as f64 * LANE,
            places,
            routes,
        }
    }
}

/// The layer of each node: the longest way to it, once cycles are broken.
fn layers(count: usize, edges: &[(usize, usize, &str)]) -> Vec<usize> {
    let mut graph: DiGraph<(), ()> = DiGraph::new();
    let nodes: Vec<NodeIndex> = (0..count).map(|_| graph.add_node(())).collect();
    for (from, to, _) in edges.iter().filter(|(from, to, _)| from != to) {
        graph.add_edge(nodes[*from], nodes[*to], ());
    }
    let broken: Vec<_> = greedy_feedback_arc_set(&graph).map(|edge| edge.id()).collect();
    graph.retain_edges(|_, edge| !broken.contains(&edge));
    let mut layers = vec![0; count];
    let sorted = toposort(&graph, None).expect("its cycles were broken");
    for node in sorted {
        for next in graph.neighbors(node) {
            layers[next.index()] = layers[next.index()].max(layers[node.index()] + 1);
        }
    }
    layers
}

/// Orders each layer by the mean position of what its slots are joined to, first from the left, then from the right.
fn order(layers: &mut [Vec<Slot>], edges: &[(usize, usize, &str)]) {
    let joined = |a: Slot, b: Slot| match (a, b) {
        (Slot::Pass(x), Slot::Pass(y)) => x == y,
        (Slot::Part(x), Slot::Part(y)) => {
            edges.iter().any(|edge| (edge.0, edge.1) == (x, y) || (edge.0, edge.1) == (y, x))
        }
        (Slot::Part(node), Slot::Pass(edge)) | (Slot::Pass(edge), Slot::Part(node)) => {
            edges[edge].0 == node || edges[edge].1 == node
        }
    };
    for sweep in 0..SWEEPS {
        for step in 1..layers.len() {
            let (fixed, moved) = if sweep % 2 == 0 {
                (step - 1, step)
            } else {
                (layers.len() - step, layers.len() - step - 1)
            };
            let reference = layers[fixed].clone();
            let own = layers[moved].len().max(1) as f64;
            let weight = |position: usize, slot: Slot| {
                let near = reference.iter().enumerate().filter(|(_, other)| joined(slot, **other));
                let places: Vec<f64> =
                    near.map(|(at, _)| (at as f64 + 0.5) / reference.len() as f64).collect();
                if places.is_empty() {
                    return (position as f64 + 0.5) / own;
                }
                places.iter().sum::<f64>() / places.len() as f64
            };
            let mut weighed: Vec<(f64, Slot)> = layers[moved]
                .iter()
                .enumerate()
                .map(|(position, slot)| (weight(position, *slot), *slot))
                .collect();
            weighed.sort_by(|a, b| a.0.total_cmp(&b.0));
            layers[moved] = weighed.into_iter().map(|(_, slot)| slot).collect();
        }
    }
}

fn route_all(
    edges: &[(usize, usize, &str)],
    layer_of: &[usize],
    places: &[(f64, f64)],
    passes: &[Vec<(f64, f64)>],
    floor: f64,
) -> Vec<Route> {
    let mut backwards = 0;
    let mut routes = Vec::new();
    for (index, (from, to, label)) in edges.iter().enumerate() {
        let (start, end) = (places[*from], places[*to]);
        let route = if layer_of[*to] > layer_of[*from] {
            forward(start, end, &passes[index])
        } else {
            backwards += 1;
            backward(start, end, floor + f64::from(backwards) * LANE - LANE / 2.0)
        };
        routes.push(Route { path: route.0, middle: route.1, label: (*label).to_owned() });
    }
    routes
}

/// From the right side of a part through its lanes to the left side of another.
fn forward(start: (f64, f64), end: (f64, f64), lanes: &[(f64, f64)]) -> (String, (f64, f64)) {
    let (mut x, mut y) = (start.0 + BOX.0 / 2.0, start.1);
    let mut path = format!("M{x:.1} {y:.1}");
    let mut middle = None;
    let stops = lanes.iter().map(|lane| (lane.0 - BOX.0 / 2.0, lane.0 + BOX.0 / 2.0, lane.1));
    for (left, right, level) in stops.chain([(end.0 - BOX.0 / 2.0, 0.0, end.1)]) {
        let half = f64::midpoint(x, left);
        path.push_str(&format!("C{half:.1} {y:.1} {half:.1} {level:.1} {left:.1} {level:.1}"));
        middle.get_or_insert((half, f64::midpoint(y, level) - 4.0));
        if right > 0.0 {
            path.push_str(&format!("L{right:.1} {level:.1}"));
        }
        (x, y) = (right, level);
    }
    (path, middle.unwrap_or(start))
}

/// Out below a part, along a lane under the drawing, and in from below.
fn backward(start: (f64, f64), end: (f64, f64), lane: f64) -> (String, (f64, f64)) {
    let (out, back) = ((start.0 - 24.0, start.1 + BOX.1 / 2.0), (end.0 + 24.0, end.1 + BOX.1 / 2.0));
    let path = format!(
        "M{0:.1} {1:.1}C{0:.1} {lane:.1} {0:.1} {lane:.1} {2:.1} {lane:.1}S{3:.1} {lane:.1} {3:.1} {4:.1}",
        out.0,
        out.1,
        f64::midpoint(out.0, back.0),
        back.0,
        back.1
    );
    (path, (f64::midpoint(out.0, back.0), lane))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::stampede;

    #[test]
    fn requests_flow_to_the_right() {
        let edges = [(0, 1, ""), (1, 2, ""), (1, 3, ""), (3, 2, "")];
        assert_eq!(layers(4, &edges), [0, 1, 3, 2]);
        // A cycle, a loop and a part alone are drawn as well.
        let edges = [(0, 1, ""), (1, 0, ""), (1, 1, "")];
        let layers = layers(3, &edges);
        assert_ne!(layers[0], layers[1]);
        assert_eq!(layers[2], 0);
    }

    #[test]
    fn no_two_parts_overlap() {
        let mut graph = stampede().designs.remove(0).graph;
        graph.edges.extend([
            (2, 0, "back".to_owned()),
            (0, 9, "nowhere".to_owned()),
            (0, 3, "far".to_owned()),
        ]);
        let layout = Layout::of(&graph);
        for (index, a) in layout.places.iter().enumerate() {
            for b in &layout.places[index + 1..] {
                assert!((a.0 - b.0).abs() >= BOX.0 || (a.1 - b.1).abs() >= BOX.1, "{a:?} {b:?}");
            }
        }
        assert_eq!(layout.routes.len(), graph.edges.len() - 1);
        assert_eq!(svg(&graph), svg(&graph));
    }

    #[test]
    fn names_are_escaped() {
        let mut graph = stampede().designs.remove(0).graph;
        graph.nodes[0].name = "<b>\"x\"".to_owned();
        assert!(svg(&graph).contains("&lt;b&gt;&quot;x&quot;") && !svg(&graph).contains("<b>"));
        assert!(dot(&graph).contains("n0 [label=\"<b>\\\"x\\\"\\ncallers"));
        assert!(dot(&Graph::default()).starts_with("digraph"));
        assert!(svg(&Graph::default()).ends_with("</svg>\n"));
    }
}
