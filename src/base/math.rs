//! Float maths that gives the same bits on every platform. (Owner: the engine work.)
