/**
 * Model files: strict readers of safetensors files, component folders and their JSON
 * configurations, and the way from there to packed weights on a device.
 */
package io.sanavideo.weights;
