#pragma once

namespace perennial {

class State;

/// Turns a state of the first format, in which chunks of data were trained and measured of which a stream
/// knew nothing, into one of this version.
void upgrade_matte_format1(State& state);

}  // namespace perennial
