/* The volley of volley.py, as one loop of send(). It keeps the interpreter's lock: the sockets do not block, and giving
   the lock away at each of them would let a busy thread in between two frames, for milliseconds every time. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>

#include <errno.h>
#include <sys/socket.h>

static ssize_t take(int descriptor, const char *data, size_t size) {
    ssize_t taken;
    if (descriptor < 0) return 0;
    do taken = send(descriptor, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (taken < 0 && errno == EINTR);
    return taken < 0 ? 0 : taken;
}

static int note(PyObject *shorts, Py_ssize_t at, ssize_t taken) {
    PyObject *pair = Py_BuildValue("nn", at, (Py_ssize_t)taken);
    int failed = pair == NULL || PyList_Append(shorts, pair) < 0;
    Py_XDECREF(pair);
    return failed;
}

static PyObject *volley(PyObject *self, PyObject *arguments) {
    PyObject *descriptors, *shorts;
    const char *data;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(arguments, "O!y#:volley", &PyList_Type, &descriptors, &data, &size)) return NULL;
    shorts = PyList_New(0);
    if (shorts == NULL) return NULL;
    for (Py_ssize_t at = 0; at < PyList_Size(descriptors); at++) {
        long descriptor = PyLong_AsLong(PyList_GetItem(descriptors, at));
        ssize_t taken;
        if (descriptor == -1 && PyErr_Occurred()) goto failed;
        taken = take((int)descriptor, data, (size_t)size);
        if (taken != size && note(shorts, at, taken)) goto failed;
    }
    return shorts;
failed:
    Py_DECREF(shorts);
    return NULL;
}

static PyMethodDef methods[] = {
    {"volley", volley, METH_VARARGS, "Send the same bytes to many sockets; gives who did not take all of them."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_volley", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__volley(void) { return PyModule_Create(&module); }
