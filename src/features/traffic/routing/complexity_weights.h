// Made by scripts/tools/fit_complexity from bench/complexity/questions.jsonl; not to be edited.
#pragma once

#include <array>

namespace causeway::routing {

inline constexpr double kFittedThreshold = 0.39;

inline constexpr std::array<float, 32> kFittedWeights{
    -0.622f,  // one
    1.757f,   // reason
    2.829f,   // create
    1.232f,   // constraint
    -0.682f,  // code
    1.004f,   // maths
    1.158f,   // domain
    -1.871f,  // recall
    -0.611f,  // meaning
    0.618f,   // classify
    -0.572f,  // extract
    1.174f,   // rewrite
    0.574f,   // translate
    -1.408f,  // greet
    0.637f,   // connect
    -0.621f,  // plain
    2.504f,   // foreign
    -0.786f,  // asks
    -0.309f,  // yes_no
    1.933f,   // long
    -0.701f,  // longer
    0.342f,   // around
    0.702f,   // turns
    1.796f,   // tools
    1.536f,   // schema
    -0.655f,  // questions
    -1.782f,  // sentences
    -0.957f,  // quotes
    0.196f,   // short
    0.313f,   // symbols
    0.790f,   // digits
    1.597f,   // beyond
};

}  // namespace causeway::routing
