// Names: what claims and figures mean by the words for arms, axes and sites.
#pragma once

#include <string>
#include <vector>

#include "sweep_config.h"

namespace normlab {

// The arms of an axis by name: those that are asked for, or all where none of them is.
std::vector<std::string> arms_of(const Axis& axis, const std::vector<std::string>& asked = {});
// What is wrong with these names of arms: one that no axis or more than one has; else nothing.
std::string trouble_with_arms(const std::vector<std::string>& arms, const std::vector<Axis>& axes);

// The number in the name of an arm: what follows the last "=", "layers=4", or the first one, "6 layers"; NaN when there
// is none.
double number_in(const std::string& arm);

// The axis of that name: a path of the config ("model.layers"), its last part ("layers"), or its number from 0. Axes of
// named arms have only their number. -1 when there is none.
int axis_named(const std::string& name, const std::vector<Axis>& axes);
// The shortest name of an axis: the last part of its path, or its number.
std::string name_of_axis(const std::vector<Axis>& axes, std::size_t number);
// What is wrong with the name of an axis: that none or more than one has it; else nothing.
std::string trouble_with_axis(const std::string& name, const std::vector<Axis>& axes);

// The layer that a site belongs to, the first part of its path that is a number, counted from 1:
// "encoder.layers.0.norm" -> 1. 0 when there is none.
int layer_of(const std::string& site);

// "; did you mean …? known here: …", for a word that is none of these.
std::string suggestion(const std::string& word, const std::vector<std::string>& known);

}  // namespace normlab
