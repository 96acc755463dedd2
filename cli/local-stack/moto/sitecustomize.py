"""
Run by the Python that runs moto, before moto (by PYTHONPATH). Moto keeps every object it ever made, for a page that shows them, and
copies a whole table for each write of a transaction: a long test would fill the memory of the machine, and wait for it. For each
request it reads the folder that it is installed in, while the others wait, and writes a line that nobody reads.
What moto answers stays as it is.
"""

import copy
import importlib.abc
import importlib.util
import logging
import sys
import threading


def keep_no_instances(common_models):
    common_models.BaseModel.__new__ = staticmethod(lambda cls, *args, **kwargs: object.__new__(cls))


def read_the_folder_once(backends):
    modules = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules


def copy_what_is_written(models):
    """Before a transaction only the items that it names are copied, and only they are put back when it fails."""
    backend = models.DynamoDBBackend
    write_all = backend.transact_write_items
    one_at_a_time = threading.RLock()
    transacting = threading.local()

    def of_table(self, memo):
        if getattr(transacting, "now", False):
            return self
        clone = object.__new__(type(self))
        memo[id(self)] = clone
        clone.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return clone

    def places(self, transact_items):
        for item in transact_items:
            for operation in item.values():
                table = self.get_table(operation["TableName"])
                yield table, self.get_keys_value(table, operation.get("Key") or operation["Item"])

    def transact_write_items(self, transact_items):
        with one_at_a_time:
            before = [(table, at, copy.deepcopy(table.get_item(*at))) for table, at in places(self, transact_items)]
            transacting.now = True
            try:
                write_all(self, transact_items)
            except BaseException:
                for table, (hash_key, range_key), item in before:
                    if item is None:
                        table.delete_item(hash_key, range_key)
                    elif range_key is None:
                        table.items[hash_key] = item
                    else:
                        table.items[hash_key][range_key] = item
                raise
            finally:
                transacting.now = False

    def alone(write):
        def write_alone(self, *args, **kwargs):
            with one_at_a_time:
                return write(self, *args, **kwargs)

        return write_alone

    models.Table.__deepcopy__ = of_table
    backend.transact_write_items = transact_write_items
    # Or a transaction that fails would put back what another request has just written.
    for name in ("put_item", "update_item", "delete_item"):
        setattr(backend, name, alone(getattr(backend, name)))


mends = {
    "moto.backends": read_the_folder_once,
    "moto.core.common_models": keep_no_instances,
    "moto.dynamodb.models": copy_what_is_written,
}


class Mender(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        mend = mends.pop(name, None)
        spec = mend and importlib.util.find_spec(name)
        if not spec:
            return None
        load = spec.loader.exec_module

        def load_and_mend(module):
            load(module)
            mend(module)

        spec.loader.exec_module = load_and_mend
        return spec


sys.meta_path.insert(0, Mender())
logging.getLogger("werkzeug").setLevel(logging.WARNING)
