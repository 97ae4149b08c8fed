"""Data sets: the digits that come along, torchvision's, and folders of images; held in memory as uint8.

`loading` brings a name to a `DataSet`; `torchvision_sets`, `formats` and `fetch` are for what is published, `folders`,
`decoding`, `decoded_folder` and `decoded_cache` for images of the user's; `describe` and `sample` are for what a view
shows.
"""

from explorer.training.data.data_set import DataSet, make_data_set, network_inputs
from explorer.training.data.decoded_cache import DataCancelled
from explorer.training.data.loading import DataNotHere, data_at_hand, data_set_names, data_states, is_at_hand, load_data

__all__ = [
    "DataCancelled",
    "DataNotHere",
    "DataSet",
    "data_at_hand",
    "data_set_names",
    "data_states",
    "is_at_hand",
    "load_data",
    "make_data_set",
    "network_inputs",
]
