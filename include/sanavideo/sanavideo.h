/** The whole ABI. */
#ifndef SANAVIDEO_SANAVIDEO_H
#define SANAVIDEO_SANAVIDEO_H

#include "sanavideo/attention.h"
#include "sanavideo/convolution.h"
#include "sanavideo/core.h"
#include "sanavideo/device.h"
#include "sanavideo/elementwise.h"
#include "sanavideo/linear.h"
#include "sanavideo/norm.h"
#include "sanavideo/nvfp4.h"
#include "sanavideo/range.h"
#include "sanavideo/recording.h"
#include "sanavideo/space_to_depth.h"
#include "sanavideo/testing.h"
#include "sanavideo/weight.h"

#endif
