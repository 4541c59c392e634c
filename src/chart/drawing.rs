//! A picture as shapes: what charts are laid out to, and what SVG and PDF paint.
//!
//! The origin is at the top left; units are points (1/72 inch) on paper and pixels on a screen. Shapes are painted in order.

/// A picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// What is painted, from the back to the front.
    pub shapes: Vec<Shape>,
}

/// A point: to the right, and down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

/// A colour, as red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color(pub u8, pub u8, pub u8);

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stroke {
    /// Its colour.
    pub color: Color,
    /// Its width.
    pub width: f64,
    /// Dashes of this length, where it is dashed.
    pub dash: Option<f64>,
}

/// Which side of a text its point is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The text begins there.
    Start,
    /// It is centred there.
    Middle,
    /// It ends there.
    End,
}

/// Something painted.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A line through points.
    Line {
        /// The points.
        points: Vec<Point>,
        /// How it is drawn.
        stroke: Stroke,
    },
    /// A filled polygon.
    Area {
        /// Its corners.
        points: Vec<Point>,
        /// Its colour.
        fill: Color,
        /// How much it covers, 0 to 1.
        opacity: f64,
    },
    /// A filled rectangle.
    Rectangle {
        /// Its corner at the top left.
        at: Point,
        /// Its width.
        width: f64,
        /// Its height.
        height: f64,
        /// Its colour.
        fill: Color,
        /// What it stands for; shown when pointed at, where that is possible.
        title: Option<String>,
    },
    /// A filled circle.
    Circle {
        /// Its centre.
        at: Point,
        /// Its radius.
        radius: f64,
        /// Its colour.
        fill: Color,
        /// How much it covers, 0 to 1.
        opacity: f64,
        /// What it stands for; shown when pointed at, where that is possible.
        title: Option<String>,
    },
    /// A text; its point is on the base line.
    Text {
        /// Where.
        at: Point,
        /// The text.
        text: String,
        /// The size of the font.
        size: f64,
        /// Which side of it the point is at.
        anchor: Anchor,
        /// Its colour.
        color: Color,
        /// Heavier than other text.
        bold: bool,
        /// Turned to be read from below.
        turned: bool,
    },
}
